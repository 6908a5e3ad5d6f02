package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.linux.ByteText;
import java.util.ArrayList;

/// Paths of a container as the file service takes them.
final class ContainerPath {
    private static final int MOST_PATH = 4095;
    private static final int MOST_NAME = 255;

    private ContainerPath() {}

    /// Relative to the root, without `.` and `..`: these are taken as text, as docker takes them.
    static byte[] relative(String path) {
        if (!present(path, "path").startsWith("/")) {
            throw FileFailures.path(path, "it is not absolute");
        }
        if (!ByteText.isText(path)) {
            throw FileFailures.path(path, "it holds half of a surrogate pair");
        }
        var names = new ArrayList<String>();
        for (String name : path.split("/", -1)) {
            if (name.equals("..")) {
                if (!names.isEmpty()) {
                    names.removeLast();
                }
            } else if (!name.isEmpty() && !name.equals(".")) {
                if (name.indexOf('\0') >= 0 || ByteText.bytes(name).length > MOST_NAME) {
                    throw FileFailures.path(path, "a name in it is longer than 255 bytes or holds a NUL");
                }
                names.add(name);
            }
        }
        byte[] bytes = ByteText.bytes(String.join("/", names));
        if (bytes.length > MOST_PATH) {
            throw FileFailures.path(path, "it is longer than 4095 bytes");
        }
        return bytes;
    }

    static String name(byte[] relative) {
        String text = ByteText.of(relative);
        return text.substring(text.lastIndexOf('/') + 1);
    }

    /// Returns the path of an entry of a directory.
    static String below(String path, String name) {
        return path.endsWith("/") ? path + name : path + "/" + name;
    }

    static String above(String path) {
        String text = ByteText.of(relative(path));
        return "/" + text.substring(0, Math.max(0, text.lastIndexOf('/')));
    }
}
