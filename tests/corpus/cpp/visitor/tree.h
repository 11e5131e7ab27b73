#pragma once

class Leaf;
class Branch;

class Visitor {
public:
    virtual ~Visitor() = default;
    virtual void leaf(Leaf &leaf) = 0;
    virtual void branch(Branch &branch) = 0;
};

class Node {
public:
    virtual void accept(Visitor &visitor) = 0;
    virtual int depth() const { return 1; }
};

class Leaf : public Node {
public:
    void accept(Visitor &visitor) override;
    friend int peek(const Leaf &leaf) { return leaf.value; }

private:
    int value = 7;
};

class Marked {
public:
    void mark() { marks.add(); }

private:
    class Marks {
    public:
        void add() { ++many; }
        int many = 0;
    };
    Marks marks;
};

class Branch : public Node, public Marked {
public:
    void accept(Visitor &visitor) override;
    int depth() const override { return Node::depth() + left->depth(); }

    Node *left = nullptr;
};
