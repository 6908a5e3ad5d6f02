package dev.caisson.cgroup;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A transient scope unit that systemd delegates to the engines of a state directory: what is below it is
/// theirs, and systemd neither moves nor resets it. org.freedesktop.systemd1(5),
/// systemd.resource-control(5) under `Delegate=`.
///
/// ```
/// system.slice/caisson.scope/engine-PID   an engine's helper process, which keeps the scope while it lives
/// system.slice/caisson.scope/ID           a container's group
/// ```
///
/// It ends with its last process, whatever ended that, and systemd removes all groups in it then.
public final class SystemdScope {
    private static final String SLICE = "system.slice";
    private static final String ENGINE = "engine-";
    /// The directory by which sd_booted(3) decides.
    private static final Path BOOTED = Path.of("/run/systemd/system");

    private static final List<Path> BUSCTL = List.of(Path.of("/usr/bin/busctl"), Path.of("/bin/busctl"));
    private static final int LONGEST_ANSWER = 4096;
    private static final int CALL_SECONDS = 30;
    private static final int TRIES = 50;
    private static final int PAUSE_MILLIS = 100;

    private final Hierarchy hierarchy;
    private final String parent;
    private final String own;

    private SystemdScope(Hierarchy hierarchy, String parent, String own) {
        this.hierarchy = hierarchy;
        this.parent = parent;
        this.own = own;
    }

    /// The group of the scope with this name, below the tree's root.
    public static String group(String name) {
        return SLICE + "/" + name + ".scope";
    }

    /// Refuses hosts on which there is no systemd or no hierarchy of version 2 alone.
    /// @throws CgroupException SYSTEMD_MISSING, SYSTEMD_NEEDS_V2
    public static void require(Hierarchy hierarchy) {
        require(Files.isDirectory(BOOTED), hierarchy.world());
    }

    public static void require(boolean isBooted, Hierarchy.World world) {
        if (!isBooted) {
            throw new CgroupException(
                    CgroupException.Code.SYSTEMD_MISSING,
                    "systemd is not process 1 here, so it cannot give a scope: use the driver cgroupfs");
        }
        if (world != Hierarchy.World.V2) {
            throw new CgroupException(
                    CgroupException.Code.SYSTEMD_NEEDS_V2,
                    "systemd delegates control groups safely in version 2 only: use the driver cgroupfs, or boot with"
                            + " systemd.unified_cgroup_hierarchy=1");
        }
    }

    /// Makes the scope, or joins the one that another engine holds. What it needs is there, as [#require] tells.
    /// @param parent as [#group] tells
    /// @param helper a process that lives as long as this engine
    /// @throws CgroupException SYSTEMD_REFUSED
    public static SystemdScope enter(Hierarchy hierarchy, String parent, int helper) {
        String unit = parent.substring(parent.lastIndexOf('/') + 1);
        String own = ENGINE + helper;
        String refusal = "";
        for (int tries = 0; tries < TRIES; tries++) {
            Answer started = start(unit, helper);
            if (started.isOk() && awaitMember(hierarchy, parent, helper)) {
                // A group that has processes of its own can hand no controller on to those below it.
                hierarchy.adopt(parent, own, helper);
                return new SystemdScope(hierarchy, parent, own);
            }
            if (!started.text().contains("already")) {
                refusal = started.text();
                break;
            }
            try {
                hierarchy.adopt(parent, own, helper);
                return new SystemdScope(hierarchy, parent, own);
            } catch (CgroupException e) { // one that just ends: it is gone in a moment
                refusal = String.valueOf(e.getMessage());
                pause();
            }
        }
        throw new CgroupException(
                CgroupException.Code.SYSTEMD_REFUSED,
                "systemd gave no scope " + unit + " (" + refusal.strip().replace('\n', ' ')
                        + "): is dbus installed and running? Or use the driver cgroupfs");
    }

    private static Answer start(String unit, int helper) {
        return call(
                "StartTransientUnit",
                "ssa(sv)a(sa(sv))",
                unit,
                "fail",
                "5",
                "PIDs",
                "au",
                "1",
                Integer.toString(helper),
                "Delegate",
                "b",
                "true",
                "Slice",
                "s",
                SLICE,
                "Description",
                "s",
                "Containers of Caisson",
                "CollectMode",
                "s",
                "inactive-or-failed",
                "0");
    }

    /// The job of the call is done when the process is in the group.
    private static boolean awaitMember(Hierarchy hierarchy, String parent, int helper) {
        for (int tries = 0; tries < TRIES; tries++) {
            try {
                if (hierarchy
                        .findParent(parent)
                        .filter(group -> group.processes().contains((long) helper))
                        .isPresent()) {
                    return true;
                }
            } catch (CgroupException e) {
                if (e.reason() != CgroupException.Code.NO_SUCH_GROUP) {
                    throw e;
                }
            }
            pause();
        }
        return false;
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CgroupException(CgroupException.Code.SYSTEMD_REFUSED, "waiting for systemd was interrupted", e);
        }
    }

    private record Answer(boolean isOk, String text) {}

    /// By systemd's own command for the bus, which is there wherever systemd is.
    private static Answer call(String method, String signature, String... arguments) {
        Path busctl = BUSCTL.stream()
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new CgroupException(
                        CgroupException.Code.SYSTEMD_REFUSED,
                        "systemd's busctl is missing: install the package systemd, or use the driver cgroupfs"));
        var command = new ArrayList<>(List.of(
                busctl.toString(),
                "--system",
                "--timeout=" + CALL_SECONDS,
                "call",
                "org.freedesktop.systemd1",
                "/org/freedesktop/systemd1",
                "org.freedesktop.systemd1.Manager",
                method,
                signature));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().clear();
        try {
            Process process = builder.start();
            process.getOutputStream().close();
            String text = new String(process.getInputStream().readNBytes(LONGEST_ANSWER), StandardCharsets.UTF_8);
            boolean ended = process.waitFor(2 * CALL_SECONDS, TimeUnit.SECONDS);
            if (!ended) {
                process.destroyForcibly();
            }
            return new Answer(ended && process.exitValue() == 0, text);
        } catch (IOException e) {
            throw new CgroupException(
                    CgroupException.Code.SYSTEMD_REFUSED, "busctl cannot be run (" + e.getMessage() + ")", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CgroupException(CgroupException.Code.SYSTEMD_REFUSED, "waiting for systemd was interrupted", e);
        }
    }

    /// Removes this engine's own group, when its helper process has been told to end. Without one, systemd
    /// ends the scope.
    public void leave() {
        hierarchy.removeStale(parent, own::equals);
    }
}
