#include "text.hpp"

namespace {
int begin_of(const std::string &line) { return static_cast<int>(line.size()); }
}

namespace old = text;
using text::v2::trim;

namespace app {

using namespace wide::text;

std::string clean(const std::string &line)
{
    namespace fresh = ::text::v2;
    return fresh::trim(line, '.') + old::trim(line);
}

}  // namespace app

int main()
{
    using app::clean;
    std::string line = trim(" a ", ' ') + wide::text::trim("b");
    return begin_of(clean(line));
}
