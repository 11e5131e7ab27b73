static int major(void) { return 3; }

int version(void)
{
    return major() * 100;
}
