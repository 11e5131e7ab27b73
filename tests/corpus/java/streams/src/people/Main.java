package people;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

public class Main {
    interface Rule {
        boolean holds(Person person);

        default Rule not() {
            return person -> !holds(person);
        }
    }

    private final Box<Person> box = new Box<>();
    private final Map<String, Person> known = new HashMap<>();

    static String loud(Person person) {
        return person.getName().toUpperCase();
    }

    Person make(String name) {
        Function<String, Person> maker = Person::new;
        Supplier<Person> none = () -> new Person("none");
        known.put(name, maker.apply(name));
        return known.getOrDefault(name, none.get());
    }

    void fill() {
        Person ann = make("Ann");
        box.put(ann).put(make("Bob").under(ann));
        box.first().getName();
        known.get("Ann").leads();
        for (Map.Entry<String, Person> entry : known.entrySet()) {
            entry.getValue().getBoss().ifPresent(boss -> boss.leads());
        }
    }

    void show(Rule rule) {
        List<String> names = box.each(Main::loud);
        box.all().stream().filter(person -> rule.holds(person)).sorted(Person::byName)
            .map(Person::getName).forEach(System.out::println);
        box.all().forEach(this::note);
        names.forEach(name -> System.out.println(name.length()));
    }

    private void note(Person person) {
        person.getBoss().map(Person::getName).ifPresent(System.out::println);
    }

    public static void main(String[] args) {
        var main = new Main();
        main.fill();
        Rule leads = Person::leads;
        main.show(leads.not());
    }
}
