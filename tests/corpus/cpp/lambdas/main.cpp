#include <algorithm>
#include <functional>
#include <vector>

#include "engine.h"

static int increase(int n) { return n + 1; }
static bool wanted(int n) { return n % 2 == 0; }

class Timer {
public:
    using Action = std::function<void()>;

    void at(Action action) { actions_.push_back(action); }
    void tick()
    {
        std::for_each(actions_.begin(), actions_.end(), [this](Action &action) {
            note();
            action();
        });
    }

private:
    void note() { ++ticks_; }
    std::vector<Action> actions_;
    int ticks_ = 0;
};

int main()
{
    Timer timer;
    std::vector<int> numbers{1, 2, 3};
    auto shift = [by = increase(1)](int n) { return n + by; };

    timer.at([&numbers, &shift] { numbers.push_back(shift(increase(4))); });
    timer.tick();
    auto many = std::count_if(numbers.begin(), numbers.end(), wanted);
    return engine_run(increase, static_cast<int>(many));
}
