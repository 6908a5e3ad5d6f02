package dev.caisson.engine;

import dev.caisson.launch.GuestNetwork;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Step;
import dev.caisson.linux.Fd;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.state.KeptDirectory;
import dev.caisson.state.KeptFile;
import dev.caisson.state.Names;
import java.time.Instant;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// The directory of a container that is being made, among those that are kept: a new one, or the one that it had before
/// its monitor was lost.
sealed interface DetachedHome {
    ContainerId id();

    /// Takes its name.
    Names.Taken name(Names names);

    /// Makes the directory, or takes it again. Its lock is held by the descriptor that is returned.
    ///
    /// @param fill writes what it has in it, before anybody finds a new one
    /// @param undo gets what leaves it as it was
    Fd take(KeptDirectory.Entry entry, ContainerSpec spec, LaunchPlan plan, Consumer<Fd> fill, Deque<Runnable> undo);

    /// Gives it its places on networks.
    ///
    /// @param undo gets what leaves it as it was
    GuestNetwork join(GuestNetworks networks, Preparation.Prepared prepared, String name, Deque<Runnable> undo);

    /// Refuses an image that is not the one of the container.
    void requireImage(String digest);

    /// One that nobody has made before.
    record New(KeptDirectory among, ContainerId id, Optional<String> asked) implements DetachedHome {
        @Override
        public Names.Taken name(Names names) {
            asked.ifPresent(among::requireFree);
            return names.take(asked, among::isFree);
        }

        @Override
        public Fd take(
                KeptDirectory.Entry entry,
                ContainerSpec spec,
                LaunchPlan plan,
                Consumer<Fd> fill,
                Deque<Runnable> undo) {
            List<String> command = plan.only(Step.Execute.class).arguments();
            Fd own = among.make(
                    entry, new KeptFile.Origin(spec.image().toString(), command, spec.labels(), Instant.now()), fill);
            undo.push(() -> among.discard(entry));
            return own;
        }

        @Override
        public GuestNetwork join(
                GuestNetworks networks, Preparation.Prepared prepared, String name, Deque<Runnable> undo) {
            undo.push(() -> networks.undo(id.value()));
            return prepared.joined(networks, id, name);
        }

        @Override
        public void requireImage(String digest) {}
    }

    /// One whose monitor is gone.
    record Former(KeptDirectory among, KeptDirectory.Entry entry, DetachedFile file) implements DetachedHome {
        @Override
        public ContainerId id() {
            return entry.id();
        }

        @Override
        public Names.Taken name(Names names) {
            return names.take(Optional.of(entry.name().orElse(id().shortForm())), _ -> true);
        }

        @Override
        public Fd take(
                KeptDirectory.Entry same,
                ContainerSpec spec,
                LaunchPlan plan,
                Consumer<Fd> fill,
                Deque<Runnable> undo) {
            Fd own = among.take(entry);
            undo.push(() -> {
                try (Fd directory = among.take(entry)) {
                    file.write(directory);
                }
            });
            fill.accept(own);
            return own;
        }

        /// It has had them all the time.
        @Override
        public GuestNetwork join(
                GuestNetworks networks, Preparation.Prepared prepared, String name, Deque<Runnable> undo) {
            return prepared.joined(networks, id(), name);
        }

        @Override
        public void requireImage(String digest) {
            if (!digest.equals(file.image())) {
                throw new EngineException(
                        "IMAGE_CHANGED",
                        "the image has changed since container " + entry.name().orElse(id().shortForm())
                                + " was created (" + file.image() + ", now " + digest
                                + "): bring it back, or remove the container and create it again");
            }
        }
    }
}
