#include "money.h"

int main()
{
    Money price(3, 50);
    Money rest{20};
    const Rate tax(19);

    price += rest;
    Money both = price + rest;
    both.set(4);
    Money with_tax = tax(both);
    return price < with_tax ? static_cast<int>(both.cents()) : 0;
}
