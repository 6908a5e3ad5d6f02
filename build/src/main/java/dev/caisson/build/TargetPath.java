package dev.caisson.build;

import dev.caisson.containerfile.Place;
import java.util.ArrayDeque;

/// An absolute path in an image.
///
/// @param path without `.`, `..` and doubled slashes
/// @param directory whether it was written as that of a directory
record TargetPath(String path, boolean directory) {
    private static final int LONGEST = 4095;

    /// Joins a path with the working directory.
    /// @throws BuildException BUILD_PATH
    static TargetPath of(String workingDirectory, String text, Place place) {
        if (text.indexOf('\0') >= 0 || text.length() > LONGEST) {
            throw new BuildException("BUILD_PATH", place, "a path of the image is too long or holds a NUL: shorten it");
        }
        boolean directory = text.endsWith("/") || text.equals(".") || text.endsWith("/.") || text.endsWith("..");
        return new TargetPath(clean(text.startsWith("/") ? text : workingDirectory + "/" + text), directory);
    }

    /// Returns an absolute path without `.`, `..` and doubled slashes; `..` of the root is the root.
    static String clean(String path) {
        var parts = new ArrayDeque<String>();
        for (String part : path.split("/", -1)) {
            if (part.equals("..")) {
                parts.pollLast();
            } else if (!part.isEmpty() && !part.equals(".")) {
                parts.addLast(part);
            }
        }
        return "/" + String.join("/", parts);
    }
}
