#include "box.hpp"

struct Part {
    int size;
    bool valid() const { return size > 0; }
};

using Parts = Counted<Part>;
typedef Box<int> Numbers;

template <typename T>
static int fill(T &box, int many)
{
    while (many-- > 0)
        box.put({many});
    return many;
}

int main()
{
    Parts parts;
    Numbers numbers;
    Box<Part, 2> two;

    fill(parts, 3);
    numbers.put(larger<int>(1, 2));
    two.put(Part{4});
    return total(parts.count(), numbers.room(), larger(3, 4)) + two.top().size + parts.room();
}
