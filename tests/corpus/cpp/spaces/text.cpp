#include "text.hpp"

namespace {

std::size_t begin_of(const std::string &line)
{
    std::size_t at = 0;
    while (at < line.size() && text::detail::blank(line[at]))
        ++at;
    return at;
}

}  // namespace

namespace text {

std::string trim(const std::string &line) { return line.substr(begin_of(line)); }

std::string v2::trim(const std::string &line, char what)
{
    return what == ' ' ? text::trim(line) : line;
}

}  // namespace text

namespace wide {
namespace text {

static std::string twice(const std::string &line) { return line + line; }

std::string trim(const std::string &line) { return twice(::text::trim(line)); }

}  // namespace text
}  // namespace wide
