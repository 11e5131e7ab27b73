from files import File, Folder, Link, LoudFile


def main():
    folder = Folder("top")
    folder.add(File("a", 1)).add(LoudFile("b", 2))
    link = Link("c", 3)
    folder.add(link)
    loud = LoudFile("d", 4)
    loud.label()
    link.describe()
    return folder.describe()


main()
