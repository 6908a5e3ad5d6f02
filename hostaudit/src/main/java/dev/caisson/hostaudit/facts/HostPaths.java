package dev.caisson.hostaudit.facts;

/// Absolute paths as texts: which one lies below which. No file is looked at.
public final class HostPaths {
    private HostPaths() {}

    /// True if the path is `ancestor` or lies below it.
    public static boolean isBelow(String path, String ancestor) {
        return path.equals(ancestor)
                || ancestor.equals("/")
                || (path.startsWith(ancestor) && path.charAt(ancestor.length()) == '/');
    }

    /// The part of a path behind one of its ancestors, with its slash; empty if they are the same.
    public static String below(String path, String ancestor) {
        return ancestor.equals("/") ? path : path.substring(ancestor.length());
    }

    /// Puts a path, with or without its first slash, behind a directory.
    public static String join(String directory, String below) {
        if (below.isEmpty() || below.equals("/")) {
            return directory;
        }
        return (directory.equals("/") ? "" : directory) + (below.startsWith("/") ? below : "/" + below);
    }
}
