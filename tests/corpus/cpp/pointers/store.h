#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

class Row {
public:
    int id() const { return id_; }
    Row *next() { return this; }

private:
    int id_ = 0;
};

class Journal {
public:
    void write(int id);
    void flush();
};

class Store {
public:
    Store();
    static std::unique_ptr<Store> open(const std::string &path);
    Row &row(int id);
    Journal *journal() { return journal_.get(); }
    void save();

private:
    std::vector<Row> rows_;
    std::map<int, std::shared_ptr<Row>> index_;
    std::unique_ptr<Journal> journal_;
};
