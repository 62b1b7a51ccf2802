"""The command line by `python -m deepbench_torch`."""

from deepbench_torch.cli import main

if __name__ == "__main__":
    main()
