int add();
static char *skip();

int
main(argc, argv)
    int argc;
    char **argv;
{
    return add(argc, *skip(argv[0]));
}

int
add(a, b)
    int a, b;
{
    return (a) + (b);
}

static char *
skip(text)
    register char *text;
{
    while (blank(*text))
        text++;
    return text;
}

int
blank(letter)
{
    return letter == ' ';
}
