package com.shop;

/** Something that is sold. */
public class Item {
    private final String name;
    private final int cents;

    public Item(String name) {
        this(name, Prices.usual(name));
    }

    public Item(String name, int cents) {
        this.name = name;
        this.cents = Prices.checked(cents);
    }

    public String name() {
        return name;
    }

    public int cents() {
        return cents;
    }

    public Item with(int cents) {
        return new Item(name(), cents);
    }
}
