package dev.caisson.seccomp;

import java.util.List;

/// Explains why a profile decides a call as it does, and what would let it through.
///
/// @param call with its arguments
/// @param action what the profile decides
/// @param reasons a sentence each, from the profile's rules in their order
public record Explanation(String call, Action action, List<String> reasons) {
    public Explanation {
        reasons = List.copyOf(reasons);
    }
}
