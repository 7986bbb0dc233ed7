// What the Glibc module of Swift lacks: the allocator's own count of what it has given out.
#pragma once
#include <malloc.h>
