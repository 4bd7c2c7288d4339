# bokehbench on the CPU:
#   docker build -t bokehbench .
#   docker run --rm -v "$PWD:/work" bokehbench                                            # trains DeepLens, minutes
#   docker run --rm -v "$PWD:/work" bokehbench render photo.jpg --model layered --disparity depth.png -o bokeh.png
FROM python:3.11-slim

# torch and torchvision first and from one index: a CPU torch beside the other torchvision fails at import.
RUN pip install --no-cache-dir torch torchvision --index-url https://download.pytorch.org/whl/cpu

COPY . /source
RUN pip install --no-cache-dir /source && rm -r /source

# Runs and pictures go to /work. The user's caches need a home that any user may write, as in `docker run --user`.
ENV HOME=/tmp
WORKDIR /work
ENTRYPOINT ["bokehbench"]
CMD ["fit", "--model", "deeplens"]
