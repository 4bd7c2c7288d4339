"""say hello"""


def main(argv):
    print(f"hello from {argv[0]}")
    return 3
