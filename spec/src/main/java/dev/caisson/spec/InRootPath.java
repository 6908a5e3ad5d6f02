package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.linux.ByteText;
import java.nio.charset.StandardCharsets;

/// A path inside a container's root, in normal form: no empty, `.` or `..` component, no control character.
///
/// It is a name only. What it leads to is decided by the kernel when init resolves it inside the root.
///
/// @param relative without the leading slash; empty for the root itself
public record InRootPath(String relative) {
    private static final int MAX_BYTES = 4095;
    private static final int MAX_COMPONENT = 255;
    private static final int MOST_SHOWN = 64;

    public InRootPath {
        present(relative, "path");
        if (isLongerThan(MAX_BYTES, relative)) {
            throw refused(relative, "is longer than " + MAX_BYTES + " bytes: shorten it");
        }
        if (!ByteText.isText(relative)) {
            throw refused(relative, "holds half of a surrogate pair: give whole characters");
        }
        for (int i = 0; i < relative.length(); i++) {
            if (relative.charAt(i) < ' ' || relative.charAt(i) == 0x7f) {
                throw refused(relative, "holds a control character: remove it");
            }
        }
        for (int start = 0; start <= relative.length() && !relative.isEmpty(); ) {
            int slash = relative.indexOf('/', start);
            int end = slash < 0 ? relative.length() : slash;
            checkComponent(relative.substring(start, end));
            start = end + 1;
        }
    }

    private static void checkComponent(String component) {
        if (component.isEmpty() || component.equals(".") || component.equals("..")) {
            throw refused(component, "is no name of a file: write the path without empty, '.' and '..' components");
        }
        if (isLongerThan(MAX_COMPONENT, component)) {
            throw refused(component, "is a component of more than " + MAX_COMPONENT + " bytes: shorten it");
        }
    }

    /// In bytes; a character has at most three in UTF-8, one of the two halves of a pair at most two.
    private static ArgumentException refused(String path, String why) {
        String shown = path.length() > MOST_SHOWN ? path.substring(0, MOST_SHOWN) + "…" : path;
        return ArgumentException.invalid("path '" + shown.replaceAll("\\p{Cntrl}", "?") + "' " + why);
    }

    private static boolean isLongerThan(int bytes, String text) {
        return 3 * text.length() > bytes && text.getBytes(StandardCharsets.UTF_8).length > bytes;
    }

    /// Reads an absolute path. Repeated and trailing slashes and `.` are dropped; `..` is refused.
    /// @throws ArgumentException with the reason
    public static InRootPath parse(String absolute) {
        if (!present(absolute, "path").startsWith("/")) {
            throw refused(absolute, "is not absolute: begin it with /");
        }
        var normal = new StringBuilder();
        for (String component : absolute.split("/", -1)) {
            if (!component.isEmpty() && !component.equals(".")) {
                normal.append(normal.isEmpty() ? "" : "/").append(component);
            }
        }
        return new InRootPath(normal.toString());
    }

    public static InRootPath of(String relative) {
        return new InRootPath(relative);
    }

    public boolean isRoot() {
        return relative.isEmpty();
    }

    /// True for this path itself and for what lies below it.
    public boolean isWithin(InRootPath other) {
        return present(other, "other").isRoot()
                || relative.equals(other.relative)
                || relative.startsWith(other.relative + "/");
    }

    public String absolute() {
        return "/" + relative;
    }

    @Override
    public String toString() {
        return absolute();
    }
}
