#include "store.h"

struct Session {
    std::shared_ptr<Store> store;
    Store *raw = nullptr;
    Row first() { return raw ? raw->row(0) : store->row(1); }
};

int main()
{
    auto store = Store::open("x");
    store->save();
    store->journal()->flush();

    Session session;
    session.store = std::move(store);
    session.store->save();
    auto &row = session.store->row(2);
    const auto *last = row.next();
    if (auto found = session.first(); found.id())
        return last->id();
    return static_cast<Row *>(&row)->id();
}
