package dev.caisson.launch;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Placement;
import dev.caisson.spec.WritableLayer;
import java.util.List;
import java.util.regex.Pattern;

/// Rules of [Policy] for a container's place among the control groups and of its writable layer.
final class PlacementRules {
    private static final Pattern TENANT = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}");
    private static final Pattern PATH = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*");
    private static final int LONGEST_PATH = 256;

    private PlacementRules() {}

    static void check(ContainerSpec spec, HostFacts host, List<Finding> findings) {
        switch (spec.placement()) {
            case Placement.Standard _ -> {}
            case Placement.Parent parent -> checkParent(parent.path(), findings);
            case Placement.Tenant tenant -> {
                if (!TENANT.matcher(tenant.name()).matches()) {
                    findings.add(
                            new Finding(
                                    "TENANT_NAME",
                                    "a tenant's name is 1 to 64 letters, digits, '_', '.' or '-', and starts with a letter or digit"));
                }
            }
        }
        checkWritableLayer(spec, host, findings);
    }

    private static void checkParent(String path, List<Finding> findings) {
        if (path.length() > LONGEST_PATH || !PATH.matcher(path).matches()) {
            findings.add(
                    new Finding(
                            "CGROUP_PARENT",
                            "a parent group is a path below the trees' root, of letters, digits, '_', '.' and '-', as jobs/nightly"));
        } else if (isOfAnEngine(path)) {
            findings.add(new Finding(
                    "CGROUP_PARENT",
                    "groups whose path has a name that starts with caisson belong to engines: name one of your own"));
        }
    }

    private static boolean isOfAnEngine(String path) {
        return path.startsWith("caisson") || path.contains("/caisson");
    }

    private static void checkWritableLayer(ContainerSpec spec, HostFacts host, List<Finding> findings) {
        WritableLayer layer = spec.writableLayer();
        layer.size().ifPresent(size -> {
            if (size.compareTo(LayerSize.LEAST_SIZE) < 0 || size.isUnlimited()) {
                findings.add(
                        new Finding("STORAGE_SIZE", "a writable layer has a size of at least " + LayerSize.LEAST_SIZE));
            }
        });
        if (layer.place() == WritableLayer.Place.DISK && layer.size().isEmpty()) {
            findings.add(new Finding("STORAGE_SIZE", "a writable layer on disk has a size: add size=BYTES"));
        } else if (LayerSize.medium(layer, spec.limits(), host.layerMedia()).isEmpty()) {
            findings.add(unavailable(layer, spec.limits().memory()));
        }
        layer.inodes().ifPresent(inodes -> {
            if (inodes < LayerSize.LEAST_INODES || inodes > LayerSize.MOST_INODES) {
                findings.add(new Finding(
                        "STORAGE_INODES",
                        "a writable layer holds " + LayerSize.LEAST_INODES + " to " + LayerSize.MOST_INODES
                                + " files"));
            }
        });
        checkReadOnly(spec, layer, findings);
    }

    private static Finding unavailable(WritableLayer layer, Bytes memory) {
        if (layer.place() == WritableLayer.Place.MEMORY) {
            return new Finding(
                    "STORAGE_ABOVE_MEMORY",
                    "a writable layer that is kept in memory is smaller than the memory limit of " + memory
                            + ": give more --memory, or leave medium=memory out");
        }
        return new Finding(
                "STORAGE_UNAVAILABLE",
                "nothing here bounds a writable layer on disk: use a data directory on xfs or ext4 that is mounted with"
                        + " prjquota, or install mkfs.ext4 (package e2fsprogs) and load the kernel's loop devices, for"
                        + " a size of " + LayerSize.LEAST_IMAGE + " or more"
                        + (layer.place() == WritableLayer.Place.ANY ? "; or ask for less than --memory" : ""));
    }

    private static void checkReadOnly(ContainerSpec spec, WritableLayer layer, List<Finding> findings) {
        if (spec.readOnlyRoot() && !layer.equals(WritableLayer.STANDARD)) {
            findings.add(new Finding(
                    "OPTIONS_CONTRADICT",
                    "a root that cannot be written to has no writable layer to size: give one of the two"));
        }
    }
}
