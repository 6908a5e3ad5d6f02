package dev.caisson.seccomp;

import java.util.List;

/// Explains why a profile decides a call as it does, and what would let it through.
///
/// @param call with its arguments
/// @param action what the profile decides
/// @param reasons a sentence each, from all of the profile's rules for the call in their order
/// @param brief the rule that decides, and what would let the call through
public record Explanation(String call, Action action, List<String> reasons, List<String> brief) {
    public Explanation {
        reasons = List.copyOf(reasons);
        brief = List.copyOf(brief);
    }
}
