"""`python -m loss_widget` is the command `loss-widget`."""

from loss_widget.command_line import main

if __name__ == "__main__":
    main()
