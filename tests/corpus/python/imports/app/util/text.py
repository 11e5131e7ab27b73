import os.path


def label(name):
    return clean(os.path.basename(name))


def clean(name):
    return name.strip()


def basename(name):
    return name
