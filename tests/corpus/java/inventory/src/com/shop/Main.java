package com.shop;

import static com.shop.text.Show.all;

import com.shop.text.*;
import java.util.ArrayList;
import java.util.List;

public class Main {
    public static void main(String[] args) {
        List<Item> items = new ArrayList<>();
        items.add(new Item("cup"));
        items.add(new Item("pot", 950).with(900));
        System.out.print(all(items));
        System.out.println(Show.line(items.get(0)));
        System.out.println(com.shop.text.Show.line(total(items)));
    }

    static int total(List<Item> items) {
        int sum = 0;
        for (var item : items) {
            sum += item.cents();
        }
        return sum;
    }
}
