#include <string>

int size(int n) { return n; }
int run(int n) { return n + 1; }
int only() { return 1; }

class Task {
public:
    int run(int n) { return n * 2; }
    int twice(int n) { return run(n) + ::run(n); }
    int member() { return size; }
    int hidden(int run) { return run; }
    int size = 3;
};

struct Other {
    int run(int n) { return n; }
};

namespace inner {
int run(int n) { return n - 1; }
int use(int n) { return run(n) + ::only(); }
}

int by_lambda(int n)
{
    auto size = [](int m) { return m; };
    return size(n);
}

int by_block(int n)
{
    {
        Other item;
        n += item.run(n);
    }
    Task item;
    return item.run(n) + size(n);
}

int by_local_class()
{
    struct Task {
        int run(int n) { return n; }
    };
    Task task;
    return task.run(1);
}

int main()
{
    Task task;
    int only = task.twice(1) + task.hidden(2) + task.member();
    return only + inner::use(3) + by_lambda(4) + by_block(5) + by_local_class();
}
