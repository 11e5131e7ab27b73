#include "tree.h"

namespace {

class Counter : public Visitor {
public:
    void leaf(Leaf &leaf) override { sum_ += peek(leaf); }
    void branch(Branch &branch) override
    {
        branch.mark();
        branch.left->accept(*this);
    }
    int sum() const { return sum_; }

private:
    int sum_ = 0;
};

}  // namespace

int main()
{
    Leaf leaf;
    Branch branch;
    Counter counter;

    branch.left = &leaf;
    branch.accept(counter);
    return counter.sum() + branch.depth();
}
