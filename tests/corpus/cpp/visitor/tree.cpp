#include "tree.h"

void Leaf::accept(Visitor &visitor) { visitor.leaf(*this); }

void Branch::accept(Visitor &visitor)
{
    mark();
    visitor.branch(*this);
}
