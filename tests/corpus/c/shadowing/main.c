struct node {
    int value;
    int (*value_of)(int);
};

static int value_of(int n) { return n; }
static int size(int n) { return n + 1; }
static int limit(void) { return 9; }
static int twice(int n) { return 2 * n; }

static int by_parameter(int (*size)(int), int n)
{
    return size(n);
}

static int by_local(int n)
{
    int (*twice)(int) = size;

    {
        int limit = n;
        n += limit;
    }
    return twice(n) + limit();
}

static int by_member(struct node *node, int n)
{
    return node->value_of(n);
}

static int in_block(int n)
{
    for (int size = 0; size < n; size++)
        n--;
    return size(n);
}

int main(void)
{
    struct node node = {1, value_of};

    return by_parameter(twice, 1) + by_local(2) + by_member(&node, 3) + in_block(4);
}
