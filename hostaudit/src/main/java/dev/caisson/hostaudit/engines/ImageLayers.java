package dev.caisson.hostaudit.engines;

import dev.caisson.hostaudit.facts.HostPaths;
import dev.caisson.hostaudit.facts.ImageFacts;
import dev.caisson.hostaudit.facts.ImageFacts.Content;
import dev.caisson.hostaudit.facts.Tree;
import dev.caisson.hostaudit.kernel.HostFiles;
import dev.caisson.text.MalformedJsonException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The layers of images as the storage driver has them on disk. A layer that several images share is read
/// once.
public final class ImageLayers {
    private static final Pattern DIGEST = Pattern.compile("sha256:([0-9a-f]{64})");
    private static final Pattern CACHE_ID = Pattern.compile("[0-9a-z]{20,80}");
    private static final Pattern LAYER_ID = Pattern.compile("[0-9a-f]{64}");
    private static final Set<String> STACKED = Set.of("overlay", "overlay2", "fuse-overlayfs");

    /// @param reason why there is no content
    record Reading(Optional<Content> content, String reason) {}

    private final HostFiles files;
    private final String root;
    private final String driver;
    private final Map<Path, Layer> known = new HashMap<>();
    private Optional<List<Tree>> podmanLayers = Optional.empty();

    /// @param root the engine's data root, as the host has it
    public ImageLayers(HostFiles files, String root, String driver) {
        this.files = files;
        this.root = root;
        this.driver = driver;
    }

    /// @param diffs digests of the layers, lowest first
    Reading read(List<String> diffs, String user) {
        List<Path> directories = new ArrayList<>();
        if (driver.equals("vfs")) {
            // each directory of vfs holds everything below it too
            directory(diffs).ifPresent(directories::add);
        } else if (STACKED.contains(driver)) {
            for (int count = 1; count <= diffs.size(); count++) {
                directory(diffs.subList(0, count)).ifPresent(directories::add);
            }
        } else {
            return new Reading(Optional.empty(), "layers of the storage driver " + driver + " are not read");
        }
        int expected = driver.equals("vfs") ? Math.min(1, diffs.size()) : diffs.size();
        if (directories.size() != expected) {
            return new Reading(
                    Optional.empty(), "the layers below " + root + " cannot be read; run as root on the engine's host");
        }
        List<Layer> layers = new ArrayList<>();
        for (Path directory : directories) {
            Layer layer = known.computeIfAbsent(directory, Layer::read);
            if (!layer.complete()) {
                return new Reading(Optional.empty(), "a layer has more than " + Layer.LIMIT + " files");
            }
            layers.add(layer);
        }
        return new Reading(Optional.of(sum(layers, user)), "");
    }

    /// Returns the directory of a chain of layers: layerdb maps its chain id to the name that the driver gave it.
    private Optional<Path> directory(List<String> diffs) {
        if (diffs.isEmpty()) {
            return Optional.empty();
        }
        if (!podmanLayers().isEmpty()) {
            return podmanDirectory(diffs);
        }
        Matcher chain = DIGEST.matcher(chainId(diffs));
        if (!chain.matches()) {
            return Optional.empty();
        }
        return files.text(root + "/image/" + driver + "/layerdb/sha256/" + chain.group(1) + "/cache-id")
                .map(String::strip)
                .filter(id -> CACHE_ID.matcher(id).matches())
                .flatMap(id -> files.directory(
                        driver.equals("vfs") ? root + "/vfs/dir/" + id : root + "/" + driver + "/" + id + "/diff"));
    }

    /// The list of layers that containers-storage(5) keeps, which podman uses.
    private List<Tree> podmanLayers() {
        if (podmanLayers.isEmpty()) {
            try {
                podmanLayers = Optional.of(files.text(root + "/" + driver + "-layers/layers.json")
                        .map(text -> Tree.parse(text).list())
                        .orElse(List.of()));
            } catch (MalformedJsonException e) {
                podmanLayers = Optional.of(List.of());
            }
        }
        return podmanLayers.get();
    }

    /// Each layer there names its parent and the digest of what it adds.
    private Optional<Path> podmanDirectory(List<String> diffs) {
        String parent = "";
        for (String diff : diffs) {
            String above = parent;
            Optional<String> id = podmanLayers().stream()
                    .filter(layer -> layer.at("diff-digest").textOr("").equals(diff)
                            && layer.at("parent").textOr("").equals(above))
                    .map(layer -> layer.at("id").textOr(""))
                    .filter(name -> LAYER_ID.matcher(name).matches())
                    .findFirst();
            if (id.isEmpty()) {
                return Optional.empty();
            }
            parent = id.get();
        }
        return files.directory(
                driver.equals("vfs") ? root + "/vfs/dir/" + parent : root + "/" + driver + "/" + parent + "/diff");
    }

    /// OCI image specification, config.md, "Layer ChainID".
    static String chainId(List<String> diffs) {
        String chain = diffs.getFirst();
        for (String diff : diffs.subList(1, diffs.size())) {
            try {
                byte[] hash = MessageDigest.getInstance("SHA-256")
                        .digest((chain + " " + diff).getBytes(StandardCharsets.US_ASCII));
                chain = "sha256:" + HexFormat.of().formatHex(hash);
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every JDK has SHA-256", e);
            }
        }
        return chain;
    }

    private static Content sum(List<Layer> layers, String user) {
        Map<String, String> elevating = new TreeMap<>();
        Set<String> tools = new TreeSet<>();
        Set<String> shells = new TreeSet<>();
        Set<String> bills = new TreeSet<>();
        Set<String> secrets = new TreeSet<>();
        int files = 0;
        int packages = 0;
        String passwd = "";
        for (Layer layer : layers) {
            for (String gone : layer.whiteouts()) {
                elevating.keySet().removeIf(path -> HostPaths.isBelow(path, gone));
                tools.removeIf(path -> HostPaths.isBelow(path, gone));
                shells.removeIf(path -> HostPaths.isBelow(path, gone));
                bills.removeIf(path -> HostPaths.isBelow(path, gone));
            }
            elevating.keySet().removeAll(layer.plain());
            elevating.putAll(layer.elevating());
            tools.addAll(layer.tools());
            shells.addAll(layer.remoteShells());
            bills.addAll(layer.bills());
            secrets.addAll(layer.secrets());
            files += layer.files();
            packages = layer.packages() > 0 ? layer.packages() : packages;
            passwd = layer.passwd().isEmpty() ? passwd : layer.passwd();
        }
        return new Content(
                files,
                elevating.entrySet().stream()
                        .map(entry -> entry.getKey() + " " + entry.getValue())
                        .toList(),
                packages,
                List.copyOf(tools),
                List.copyOf(secrets),
                List.copyOf(shells),
                List.copyOf(bills),
                ImageFacts.uid(user, passwd),
                ImageFacts.rootNames(passwd));
    }
}
