package dev.caisson.engine;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cgroup.SystemdScope;
import dev.caisson.error.CaissonException;
import dev.caisson.state.State;
import java.util.Optional;

/// Removes what killed engines and monitors have left: groups, layers on disk, records, names.
public final class Leftovers {
    private static final System.Logger LOG = System.getLogger(Leftovers.class.getName());

    private Leftovers() {}

    /// Removes it, if there is any; an engine that opens does the same. Containers that were to be removed at their end
    /// are removed if that has come. Nothing is done for a user who may not.
    public static void clear(EngineOptions options) {
        boolean _ = cleared(options).isPresent();
    }

    /// Removes it as [#clear] does.
    /// @return the containers that are there; empty if something was there to be removed
    static Optional<Listing> cleared(EngineOptions options) {
        try {
            Listing listing = Listing.of(options);
            boolean same = !State.hasLeftovers(options.state(), listing.livingPlaces());
            if (!same) {
                clearPlaces(options);
            }
            for (Listing.One one : listing.containers()) {
                same &= one.file().isEmpty() || !tidy(listing, one);
            }
            return same ? Optional.of(listing) : Optional.empty();
        } catch (CaissonException e) {
            LOG.log(System.Logger.Level.DEBUG, "what a killed engine left is not cleared by this process", e);
            return Optional.empty();
        }
    }

    /// One that fails must not hide the others.
    /// @return true if it may have changed
    private static boolean tidy(Listing listing, Listing.One one) {
        try {
            if (!one.isUnwanted()) {
                listing.refresh(one);
                return false;
            }
            boolean _ = new DetachedContainer(listing.place(one)).removeIfWanted(); // it looks again
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.DEBUG, "the container " + one.id() + " is left as it is", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return true;
    }

    static void clearPlaces(EngineOptions options) {
        if (options.driver() == CgroupDriver.SYSTEMD) {
            Engine.open(options).close();
        } else {
            Recovery.run(options);
        }
    }

    /// Removes the group that held all containers of an engine's state directory; one that is still there is the
    /// next engine's to clear. A scope's is left to systemd, which reads there that it is empty once it is told of
    /// a change: where the group is gone by then, the scope stays active without one.
    static void removeParent(Hierarchy hierarchy, State state, Optional<SystemdScope> scope) {
        if (scope.isEmpty() && hierarchy.leftovers(state.cgroupParent()).isEmpty()) {
            hierarchy.removeParent(state.cgroupParent());
        }
    }
}
