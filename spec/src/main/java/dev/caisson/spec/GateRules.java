package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.Quoted;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// The requests that a gate puts its secret into: all of them, or those with certain methods and paths.
///
/// @param methods as `GET`, in capital letters; none for all. `GET` does not include `HEAD`
/// @param paths as `/v1/*`; none for all
public record GateRules(List<String> methods, List<String> paths) {
    /// Every request.
    public static final GateRules ALL = new GateRules(List.of(), List.of());

    private static final int MOST = 16;
    private static final Pattern METHOD = Pattern.compile("[A-Z][A-Z-]{0,31}");
    private static final List<String> UNCARRIED = List.of("CONNECT", "TRACE", "TRACK");
    private static final Pattern PATH = Pattern.compile("/(?:[A-Za-z0-9._~!$&'()+:;@=/*-]|%[0-9A-Fa-f]{2}){0,255}");
    private static final Pattern TWO_STARS = Pattern.compile("\\*[^/]*\\*");

    /// @throws ArgumentException ARGUMENT_INVALID
    public GateRules {
        methods = List.copyOf(present(methods, "methods"));
        paths = present(paths, "paths").stream().map(GateRules::plain).toList();
        if (methods.size() > MOST || paths.size() > MOST) {
            throw ArgumentException.invalid("a gate has " + Math.max(methods.size(), paths.size())
                    + " methods or paths: give at most " + MOST + " of each");
        }
        methods.forEach(GateRules::requireMethod);
    }

    private static void requireMethod(String method) {
        if (!METHOD.matcher(method).matches()) {
            throw ArgumentException.invalid(
                    Quoted.of(method) + " is not the method of a gate: give one in capital letters, as GET");
        }
        if (UNCARRIED.contains(method)) {
            throw ArgumentException.invalid("the method " + method + " does not pass a gate: give another one");
        }
    }

    private static String plain(String path) {
        if (!PATH.matcher(present(path, "path")).matches()
                || TWO_STARS.matcher(path).find()) {
            throw ArgumentException.invalid(Quoted.of(path) + " is not the path of a gate: give one as /v1/*, without a"
                    + " query and ',', and with at most one '*' between two slashes");
        }
        return RequestPath.plain(path)
                .orElseThrow(() -> ArgumentException.invalid(Quoted.of(path)
                        + " is a path that servers read in several ways: give one without '.' and '..', empty parts and"
                        + " characters that are encoded twice"));
    }

    /// True if every request passes.
    public boolean isAll() {
        return methods.isEmpty() && paths.isEmpty();
    }

    /// True for a method that passes. Upper and lower case are not the same, as in HTTP.
    public boolean allowsMethod(String method) {
        return methods.isEmpty() || methods.contains(method);
    }

    /// True for a path that passes, however servers read it. One that they read in several ways does not pass a list
    /// of paths.
    ///
    /// @param path of a request, without its query
    public boolean allowsPath(String path) {
        if (paths.isEmpty()) {
            return true;
        }
        Optional<String> plain = RequestPath.plain(path);
        return plain.isPresent() && paths.stream().anyMatch(one -> RequestPath.matches(one, plain.get()));
    }

    /// Returns it for people, as `GET, HEAD with /v1/*`.
    public String sentence() {
        String which = methods.isEmpty() ? "all methods" : String.join(", ", methods);
        return paths.isEmpty() ? which : which + " with " + String.join(", ", paths);
    }
}
