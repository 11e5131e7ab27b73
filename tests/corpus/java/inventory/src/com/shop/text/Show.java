package com.shop.text;

import com.shop.Item;
import java.util.List;

public class Show {
    public static String line(Item item) {
        return item.name() + " " + line(item.cents());
    }

    public static String line(int cents) {
        return cents / 100 + "." + pad(cents % 100);
    }

    private static String pad(int part) {
        return part < 10 ? "0" + part : "" + part;
    }

    public static String all(List<Item> items) {
        StringBuilder text = new StringBuilder();
        for (Item item : items) {
            text.append(line(item)).append('\n');
        }
        return text.toString();
    }
}
