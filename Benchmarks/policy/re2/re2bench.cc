// The same rules as one regular expression, as an agent that joins an endpoint's rules into one has them.
//
//   re2bench RULES NAMES   compile time and memory; then the time of a match for each line on standard input
//
// A rule is a line "name NAME" or "pattern PATTERN". Results are lines "KEY VALUE".
#include <malloc.h>
#include <re2/re2.h>
#include <time.h>

#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace {

// Names that are matched for the comparison of results, and most of them that one measurement takes.
constexpr size_t kCompared = 2000;
// A measurement ends after this CPU time, in seconds.
constexpr double kLimit = 0.5;

// CPU time of this thread in seconds.
double Now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

// What the allocator has given out.
double Allocated() {
  const struct mallinfo2 information = mallinfo2();
  return information.uordblks + information.hblkhd;
}

std::vector<std::string> Lines(const char* path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// A rule as a regular expression: dots as they are, a star for any number of the characters of a label.
std::string Expression(const std::string& rule) {
  std::string result;
  for (char c : rule.substr(rule.find(' ') + 1)) {
    if (c == '.') {
      result += "[.]";
    } else if (c == '*') {
      result += "[-a-zA-Z0-9_]*";
    } else {
      result += c;
    }
  }
  return result + "[.]";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: re2bench RULES NAMES\n";
    return 64;
  }
  std::vector<std::string> names;
  for (const std::string& name : Lines(argv[2])) names.push_back(name + ".");
  std::string pattern;
  size_t rules = 0;
  for (const std::string& rule : Lines(argv[1])) {
    pattern += (rules++ ? "|" : "") + Expression(rule);
  }
  RE2::Options options;
  options.set_max_mem(int64_t{2} << 30);
  options.set_log_errors(false);
  options.set_never_capture(true);
  const double before = Allocated();
  const double start = Now();
  const RE2 expression(pattern, options);
  std::cout << "compile_ms " << (Now() - start) * 1e3 << "\n";
  if (!expression.ok()) {
    std::cout << "failed " << expression.error() << std::endl;
    return 0;
  }
  size_t allowed = 0;
  for (size_t index = 0; index < std::min(names.size(), kCompared); index++) {
    allowed += RE2::FullMatch(names[index], expression);
  }
  // The automaton grows while it is used.
  std::cout << "bytes_per_rule " << (Allocated() - before) / rules << "\nallowed " << allowed << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    const double begin = Now();
    size_t count = 0;
    while (count < names.size()) {
      for (size_t end = std::min(names.size(), count + 50); count < end; count++) {
        allowed += RE2::FullMatch(names[count], expression);
      }
      if (Now() - begin > kLimit) break;
    }
    std::cout << "ns " << (Now() - begin) * 1e9 / count << std::endl;
  }
  return allowed == 0 ? 1 : 0;
}
