package dev.caisson.spec;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A system call that a container's filter denied, told once for all calls like it.
///
/// @param call with its arguments, `X86_64 socket(AF_PACKET, 3, 0)`
/// @param answer what the caller got, `ERRNO(EPERM)`, or `ALLOW` where the filter only complains
/// @param process its name, which a program chooses itself
/// @param executable the caller's, as seen by the host; empty where it had ended already
/// @param location where the call was made: a mapped file and the offset in it; empty where it is not known
/// @param reasons what the profile's rules say, and so which rule or capability would have allowed it
/// @param count how many times
public record Denial(
        String call,
        String answer,
        String process,
        String executable,
        String location,
        List<String> reasons,
        long count) {
    public Denial {
        reasons = List.copyOf(reasons);
    }

    /// Returns the fields for programs: texts, a list of texts and a number by name, in a lasting order.
    public Map<String, Object> fields() {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("call", call);
        fields.put("answer", answer);
        fields.put("program", process);
        fields.put("executable", executable);
        fields.put("location", location);
        fields.put("reasons", reasons);
        fields.put("count", count);
        return fields;
    }
}
