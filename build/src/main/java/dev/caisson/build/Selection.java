package dev.caisson.build;

import dev.caisson.build.FileTree.Node;
import dev.caisson.build.Operation.Copy;
import dev.caisson.build.Operation.Source;
import dev.caisson.containerfile.dockerfile.DockerIgnore;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileSystem;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The files that a `COPY` takes out of a tree, each with the digest of its content.
///
/// @param tops one for each thing that is named or matched
record Selection(List<Top> tops) {
    private static final int BUFFER = 1 << 16;
    private static final String OF_USERS = "user.";
    private static final int MOST_FILES = 2_000_000;
    private static final int DEEPEST = 512;
    private static final long MOST_BYTES = 64L << 30;

    /// One thing that is copied.
    ///
    /// @param name under which it goes into a directory
    /// @param parents directories of it that are kept, for `--parents`
    /// @param items itself first
    record Top(String name, List<String> parents, boolean directory, List<Item> items) {}

    /// One file below it.
    ///
    /// @param path below the top; empty for the top itself
    /// @param digest of a regular file's content, else empty
    /// @param link target of a symbolic link, else empty
    /// @param extended attributes of a regular file that a layer keeps: those of users, and capabilities
    /// @param ignored whether it is there only for what is below it
    record Item(String path, Node node, String digest, String link, Map<String, byte[]> extended, boolean ignored) {}

    /// @throws BuildException BUILD_COPY_MISSING, BUILD_COPY_KIND, BUILD_COPY_SIZE
    static Selection of(FileTree tree, Copy copy) {
        var walk = new Walk(tree, copy);
        for (Source source : copy.sources()) {
            if (source instanceof Source.Pattern pattern) {
                walk.add(pattern);
            }
        }
        return new Selection(List.copyOf(walk.tops));
    }

    /// Adds to a hash everything that the layer depends on.
    void hash(ContentHash hash, boolean owners) {
        var names = new HashMap<List<Long>, String>(); // of files that have several
        for (Top top : tops) {
            hash.add(top.name())
                    .add(String.join("/", top.parents()))
                    .add(top.items().size());
            for (Item item : top.items()) {
                var status = item.node().status();
                hash.add(item.path()).add(status.mode()).add(item.digest()).add(item.link());
                item.extended().forEach((name, value) -> hash.add(name).add(value));
                if (status.isRegularFile() && status.links() > 1) {
                    String name = FileTree.join(top.name(), item.path());
                    String first = names.putIfAbsent(List.of(status.fileSystem(), status.inode()), name);
                    hash.add("link").add(first == null ? "" : first);
                }
                if (owners) {
                    hash.add(status.uid()).add(status.gid());
                }
            }
        }
    }

    /// Returns the digest of the content that a file has; empty if it changes meanwhile.
    static Optional<String> digest(Fd file) {
        return digest(file, FileSystem.status(file).size(), new byte[BUFFER]);
    }

    /// Ends the work for a build that nobody waits for.
    private static void requireWanted() {
        if (Thread.currentThread().isInterrupted()) {
            throw new BuildException("BUILD_INTERRUPTED", "the build was interrupted: build again");
        }
    }

    /// A file that grows as fast as it is read has no end: no more is read than a byte above its size.
    private static Optional<String> digest(Fd file, long size, byte[] buffer) {
        MessageDigest digest = ContentHash.algorithm();
        long position = 0;
        for (int count = FileContent.readAt(file, buffer, position);
                count > 0 && position <= size;
                count = FileContent.readAt(file, buffer, position)) {
            requireWanted();
            digest.update(buffer, 0, count);
            position += count;
        }
        return position == size ? Optional.of(HexFormat.of().formatHex(digest.digest())) : Optional.empty();
    }

    /// Collects files in the order of their names.
    private static final class Walk {
        private final FileTree tree;
        private final Copy copy;
        private final Optional<DockerIgnore> excludes;
        private final List<Top> tops = new ArrayList<>();
        private final byte[] buffer = new byte[BUFFER];
        private int files;
        private long bytes;

        Walk(FileTree tree, Copy copy) {
            this.tree = tree;
            this.copy = copy;
            this.excludes = copy.excludes().isEmpty()
                    ? Optional.empty()
                    : Optional.of(DockerIgnore.parse(
                            dev.caisson.containerfile.Source.of("--exclude", String.join("\n", copy.excludes()))));
        }

        void add(Source.Pattern source) {
            String path = TargetPath.clean("/" + source.path());
            List<Node> found = PathPattern.isPattern(path)
                    ? PathPattern.find(tree, path)
                    : tree.resolve(path).node().stream().toList();
            int before = tops.size();
            for (Node node : found) {
                top(source, path, node);
            }
            if (tops.size() == before) {
                throw new BuildException(
                        "BUILD_COPY_MISSING",
                        source.place(),
                        source.path() + " is not in " + tree.name() + ": " + advice());
            }
        }

        private String advice() {
            if (!(copy.origin() instanceof Operation.Origin.Context)) {
                return "name a file that is there";
            }
            return tree.name().equals(Trees.NO_CONTEXT)
                    ? "give the directory of the files as context, as in 'caisson build .'"
                    : "name a file that is there and that .dockerignore leaves in";
        }

        private void top(Source.Pattern source, String path, Node named) {
            Node node = named;
            if (node.status().isSymbolicLink()) {
                Optional<Node> target = tree.resolve("/" + node.path()).node();
                if (target.isEmpty()) {
                    throw new BuildException(
                            "BUILD_COPY_MISSING",
                            source.place(),
                            "/" + node.path() + " of " + tree.name() + " is a link to nothing there: mend it");
                }
                node = target.get();
            }
            var items = new ArrayList<Item>();
            collect(source, node, "", items, 0);
            boolean some = items.stream().anyMatch(item -> !item.ignored());
            if (!some && !node.path().isEmpty()) {
                return;
            }
            String name = PathPattern.isPattern(path) ? named.last() : path.substring(path.lastIndexOf('/') + 1);
            tops.add(new Top(
                    name,
                    copy.parents() ? parents(source, named, path) : List.of(),
                    node.status().isDirectory(),
                    items));
        }

        /// The directories between the pivot `/./`, or the root, and the thing itself.
        private static List<String> parents(Source.Pattern source, Node named, String path) {
            String whole = PathPattern.isPattern(path) ? named.path() : path.substring(1);
            int pivot = source.path().indexOf("/./");
            String before = pivot < 0
                    ? ""
                    : TargetPath.clean("/" + source.path().substring(0, pivot)).substring(1);
            String kept =
                    !before.isEmpty() && whole.startsWith(before + "/") ? whole.substring(before.length() + 1) : whole;
            int slash = kept.lastIndexOf('/');
            return slash < 0 ? List.of() : List.of(kept.substring(0, slash).split("/", -1));
        }

        private void collect(Source.Pattern source, Node node, String below, List<Item> items, int depth) {
            if (++files > MOST_FILES || depth > DEEPEST) {
                throw new BuildException(
                        "BUILD_COPY_SIZE",
                        source.place(),
                        "more than " + MOST_FILES + " files, or directories more than " + DEEPEST
                                + " deep, are copied: copy fewer");
            }
            String excludedAs = below.isEmpty() ? node.last() : below;
            boolean isTopDirectory = below.isEmpty() && node.status().isDirectory();
            boolean excluded = !isTopDirectory
                    && excludes.filter(rules -> rules.excludes(excludedAs)).isPresent();
            boolean ignored = !node.path().isEmpty() && (tree.isHidden(node.path()) || excluded);
            if (node.status().isDirectory()) {
                int at = items.size();
                items.add(new Item(below, node, "", "", Map.of(), ignored));
                List<Node> children = ignored && !tree.mayShowBelowHidden() ? List.of() : tree.list(node);
                for (Node child : children) {
                    collect(source, child, FileTree.join(below, child.last()), items, depth + 1);
                }
                if (ignored && items.size() == at + 1) {
                    items.removeLast();
                }
            } else if (!ignored) {
                items.add(item(source, node, below));
            }
        }

        private Item item(Source.Pattern source, Node node, String below) {
            if (node.status().isSymbolicLink()) {
                return new Item(below, node, "", tree.readLink(node), Map.of(), false);
            }
            if (!node.status().isRegularFile()) {
                throw new BuildException(
                        "BUILD_COPY_KIND",
                        source.place(),
                        "/" + node.path() + " of " + tree.name()
                                + " is neither file, directory nor link: leave it out");
            }
            Optional<String> known = tree.known().flatMap(digests -> digests.digest(node));
            if (known.isPresent()) {
                count(source, node);
                return new Item(below, node, known.get(), "", Map.of(), false);
            }
            try (Fd file = tree.open(node)) {
                Node read = new Node(node.path(), FileSystem.status(file)); // another may have its name by now
                count(source, read);
                String digest = digest(file, read.status().size(), buffer).orElseThrow(() -> tree.changed(node, null));
                var item = new Item(below, read, digest, "", extended(file), false);
                if (item.extended().isEmpty()) {
                    tree.known().ifPresent(digests -> digests.remember(read, file, digest));
                }
                return item;
            }
        }

        private void count(Source.Pattern source, Node node) {
            bytes += node.status().size();
            if (bytes > MOST_BYTES) {
                throw new BuildException(
                        "BUILD_COPY_SIZE",
                        source.place(),
                        "more than " + (MOST_BYTES >> 30) + " GiB are copied, with /" + node.path() + ": copy less");
            }
        }

        private static Map<String, byte[]> extended(Fd file) {
            var kept = new TreeMap<String, byte[]>();
            for (String name : ExtendedAttributes.names(file)) {
                if (name.startsWith(OF_USERS) || name.equals(ExtendedAttributes.CAPABILITIES)) {
                    ExtendedAttributes.get(file, name).ifPresent(value -> kept.put(name, value));
                }
            }
            return kept;
        }
    }
}
