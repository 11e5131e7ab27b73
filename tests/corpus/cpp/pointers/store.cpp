#include "store.h"

void Journal::write(int id) { if (id < 0) flush(); }

void Journal::flush() {}

Store::Store() : journal_(std::make_unique<Journal>()) {}

std::unique_ptr<Store> Store::open(const std::string &)
{
    return std::make_unique<Store>();
}

Row &Store::row(int id)
{
    return rows_[id];
}

void Store::save()
{
    for (const auto &row : rows_)
        journal_->write(row.id());
    for (const Row &row : rows_)
        row.id();
    rows_[0].next()->next();
    index_[3]->id();
    journal_->flush();
}
