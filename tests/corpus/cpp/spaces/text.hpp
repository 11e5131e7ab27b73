#pragma once

#include <string>

namespace text {

std::string trim(const std::string &line);

namespace detail {
inline bool blank(char letter) { return letter == ' '; }
}  // namespace detail

namespace v2 {
std::string trim(const std::string &line, char what);
}

}  // namespace text

namespace wide::text {
std::string trim(const std::string &line);
}
