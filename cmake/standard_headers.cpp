// Holds the precompiled headers of the C++ standard library.
