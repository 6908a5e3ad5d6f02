package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.image.ArchiveForm;
import dev.caisson.image.Digest;
import dev.caisson.image.Emulation;
import dev.caisson.image.Image;
import dev.caisson.image.ImageCheck;
import dev.caisson.image.ImageDescription;
import dev.caisson.image.ImageLayer;
import dev.caisson.image.ImageNotes;
import dev.caisson.image.ImageReference;
import dev.caisson.image.ImageStore;
import dev.caisson.image.ImageTree;
import dev.caisson.image.LayerUse;
import dev.caisson.image.NewLayer;
import dev.caisson.image.Platform;
import dev.caisson.image.ProgressListener;
import dev.caisson.image.PullListener;
import dev.caisson.image.RegistryLogins;
import dev.caisson.image.StoredImage;
import dev.caisson.secret.SecretStore;
import dev.caisson.spec.Bytes;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/// The images of a data directory that were pulled from registries. Needs no engine: containers and pulls of
/// several processes go on beside each other. May be used by several threads.
public final class Images implements AutoCloseable {
    private final EngineOptions options;
    private final ImageStore store;
    private final ImageTaint taint;
    private final ImageUsers users;
    private final ImageIds ids;
    private final ImageEvents events;
    private final ImageCalls calls = new ImageCalls();

    private Images(EngineOptions options, ImageStore store) {
        this.options = options;
        this.store = store;
        this.users = new ImageUsers(options, store);
        this.ids = new ImageIds(store);
        this.events = new ImageEvents(options, store);
        this.taint = new ImageTaint(options.data().resolve(SecretStore.DIRECTORY));
    }

    /// Opens the store of a data directory.
    /// @throws EngineException if the directory cannot be used
    public static Images open(EngineOptions options) {
        present(options, "options");
        HostAccess.requireNative();
        return Failures.call(
                () -> new Images(options, ImageStore.open(options.data().resolve("images"))));
    }

    /// Returns all of them, in the order of their pulls.
    public List<StoredImage> list() {
        return calls.call(store::images);
    }

    /// Returns true if an image of this name is there.
    public boolean has(ImageReference reference) {
        return find(reference).isPresent();
    }

    /// Finds the image of a name.
    public Optional<StoredImage> find(ImageReference reference) {
        present(reference, "reference");
        return calls.call(() -> store.find(reference));
    }

    /// Returns true if an image of this name is there, and is for a platform.
    public boolean has(ImageReference reference, Platform platform) {
        return find(reference, platform).isPresent();
    }

    /// Finds the image of a name, if it is for a platform.
    public Optional<StoredImage> find(ImageReference reference, Platform platform) {
        present(reference, "reference");
        present(platform, "platform");
        return calls.call(() -> store.find(reference)
                .filter(image -> store.describe(image).config().platform().fits(platform)));
    }

    /// Describes one, without unpacking it.
    public ImageDescription describe(StoredImage image) {
        present(image, "image");
        return calls.call(() -> store.describe(image));
    }

    /// Returns the configuration of one as it lies in the store: JSON of the OCI image specification.
    public byte[] config(StoredImage image) {
        present(image, "image");
        return calls.call(() -> store.config(image));
    }

    /// Gives the layers of one to `use`, lowest first, as they lie in the store, with files that a later layer removes.
    public void readLayers(StoredImage image, LayerUse use) {
        present(image, "image");
        present(use, "use");
        calls.call(() -> {
            store.readLayers(image, use);
            return image;
        });
    }

    /// Opens an image's files to be read, as a container of it would find them. They are unpacked if they were
    /// not.
    /// @throws EngineException BAD_NAME for `host`, or any code of an image that cannot be used
    public ImageTree tree(Image image) {
        present(image, "image");
        return calls.call(() -> store.tree(image, ProgressListener.none()));
    }

    /// Returns the statements of the index that an image came in or was built with: in-toto's, as JSON.
    public List<byte[]> statements(StoredImage image) {
        present(image, "image");
        return calls.call(() -> store.statements(image));
    }

    /// Adds an image of the layers of another one, new ones above, and a configuration.
    ///
    /// @param base empty for an image of new layers only
    /// @param layers new ones, lowest first
    /// @param config gets the digests of the new layers' uncompressed archives, and returns the whole
    ///     configuration, JSON of the OCI image specification
    /// @param name with a tag; an image that had it stays without a name
    /// @throws EngineException SECRET_IN_IMAGE if the configuration or a new layer has a stored value
    public StoredImage make(
            Optional<StoredImage> base,
            List<NewLayer> layers,
            Function<List<Digest>, byte[]> config,
            ImageReference name) {
        return make(base, layers, config, name, ImageNotes.none());
    }

    /// Like the other, with annotations and a statement about it, which have no stored value either.
    public StoredImage make(
            Optional<StoredImage> base,
            List<NewLayer> layers,
            Function<List<Digest>, byte[]> config,
            ImageReference name,
            ImageNotes notes) {
        present(base, "base");
        present(layers, "layers");
        present(config, "config");
        present(name, "name");
        present(notes, "notes");
        return calls.call(() -> events.tagged(
                store.make(base, taint.checked(layers), taint.checked(config), name, taint.checked(notes))));
    }

    /// Returns the image of a name.
    /// @throws EngineException IMAGE_UNKNOWN
    public StoredImage get(ImageReference name) {
        present(name, "name");
        return calls.call(() -> store.find(name))
                .orElseThrow(() -> new EngineException(
                        "IMAGE_UNKNOWN", "no image of the store is called " + name + ": see 'caisson images'"));
    }

    /// Finds an image by its name, or by the beginning of its id, which is the digest of its configuration.
    /// Several with one configuration, which differ in how their layers are compressed, are one image by its id:
    /// the last is found.
    /// @throws EngineException if there is none, or several begin so
    public StoredImage find(String nameOrId) {
        present(nameOrId, "nameOrId");
        return calls.call(() -> ids.find(nameOrId));
    }

    /// Returns the name of the image whose id a reference is, as 12 or more digits of it alone or behind `sha256:`, by
    /// the digest of its manifest; the reference itself if an image has that name, or none that id.
    /// @throws EngineException IMAGE_AMBIGUOUS
    public ImageReference settled(ImageReference reference) {
        present(reference, "reference");
        return calls.call(() -> ids.settled(reference));
    }

    /// Copies an image for this machine from its registry. What is there already is not fetched again.
    /// @throws EngineException with the code of what failed
    public StoredImage pull(ImageReference reference, RegistryLogins logins, PullListener listener) {
        return pull(reference, Platform.running(), logins, listener);
    }

    /// Like the other, for another platform, whose programs an interpreter of the host runs.
    /// @throws EngineException PLATFORM_FOREIGN if there is none; with the code of what else failed
    public StoredImage pull(ImageReference reference, Platform platform, RegistryLogins logins, PullListener listener) {
        calls.run(() -> Emulation.requireHere(present(platform, "platform")));
        return pullFiles(reference, platform, logins, listener);
    }

    /// Like the others, for a platform whose programs need not run here, as only the files are used.
    /// @throws EngineException with the code of what failed
    public StoredImage pullFiles(
            ImageReference reference, Platform platform, RegistryLogins logins, PullListener listener) {
        present(reference, "reference");
        present(platform, "platform");
        present(logins, "logins");
        present(listener, "listener");
        return calls.call(() -> events.pulled(reference, store.pull(reference, platform, logins, listener)));
    }

    /// Copies an image to the registry of its name. What is there already is not sent again; a layer that another
    /// of the store's images has in the registry is mounted from there.
    ///
    /// @param image with a tag
    /// @throws EngineException with the code of what failed; SECRET_IN_IMAGE if it has a stored value
    public void push(StoredImage image, RegistryLogins logins, PullListener listener) {
        present(image, "image");
        present(logins, "logins");
        present(listener, "listener");
        calls.run(() -> {
            requireClean(List.of(image));
            store.push(image, logins, listener);
            events.pushed(image);
        });
    }

    private void requireClean(List<StoredImage> images) {
        taint.requireClean(images, store);
    }

    /// Returns what shares layers of builds with other machines.
    public SharedLayers shared() {
        return new SharedLayers(store.caches(), this::requireClean);
    }

    /// Gives an image a further name.
    /// @param name with a tag; an image that had it stays without a name
    public StoredImage tag(StoredImage image, ImageReference name) {
        present(image, "image");
        present(name, "name");
        return calls.call(() -> events.tagged(store.tag(image, name)));
    }

    /// Makes an image of a container that outlives its command: its image's layers, and its changes as one more.
    /// The configuration is that of its image with the changes that are asked for; variables, command and user
    /// that the container was given itself are not taken.
    ///
    /// @param container its name, or the beginning of its id
    /// @param name with a tag; an image that had it stays without a name
    /// @throws EngineException COMMIT_REFUSED if its image is not in the store, or it ended with its command;
    ///     CHANGE_REFUSED; CONTAINER_UNKNOWN; SECRET_IN_IMAGE; those of [DetachedContainer#writeLayer]
    public StoredImage commit(String container, ImageReference name, CommitOptions how) throws InterruptedException {
        return Commit.of(calls.open(container), Optional.of(present(name, "name")), how, store, taint, options);
    }

    /// Like the other, without a name: it is found by its id, and `image prune` removes it.
    public StoredImage commit(String container, CommitOptions how) throws InterruptedException {
        return Commit.of(calls.open(container), Optional.empty(), how, store, taint, options);
    }

    /// Adds an image of one layer: a tar archive of a root file system, which may be compressed with gzip, zstd, xz
    /// or bzip2.
    ///
    /// @param source where it comes from, for messages and the image's history
    /// @param name with a tag; empty for an image without a name
    /// @throws EngineException CHANGE_REFUSED; SECRET_IN_IMAGE if the archive or a change has a stored value;
    ///     BAD_ARCHIVE and others of an archive that cannot be used
    public StoredImage importRoot(
            InputStream archive, String source, ImportOptions how, Optional<ImageReference> name) {
        present(archive, "archive");
        present(source, "source");
        present(how, "how");
        present(name, "name");
        return calls.call(() -> {
            var config = new ImportedConfig(how, source);
            return events.told(
                    "import", store.importRoot(archive, source, taint::checked, taint.checked(config::with), name));
        });
    }

    /// Adds the images of an archive of `docker save`, or of a packed OCI layout, which may be compressed with
    /// gzip, zstd, xz or bzip2: all of them, or none.
    ///
    /// @param source where it comes from, for messages
    /// @return an entry for each name; one without a tag for an image that the archive has no name for
    /// @throws EngineException SECRET_IN_IMAGE if one of them has a stored value; with the code of what failed
    public List<StoredImage> load(InputStream archive, String source) {
        return load(archive, source, Platform.running());
    }

    /// Like the other, for a platform: its image is taken where the archive has those of several.
    public List<StoredImage> load(InputStream archive, String source, Platform platform) {
        present(archive, "archive");
        present(source, "source");
        present(platform, "platform");
        return calls.call(() -> {
            List<StoredImage> loaded = store.load(archive, source, platform, this::requireClean);
            loaded.forEach(image -> events.told("load", image));
            return loaded;
        });
    }

    /// Writes images as one archive. The same images under the same names make the same bytes.
    ///
    /// @param images with the names that they have in the archive: [StoredImage#withoutTag] for none
    /// @throws EngineException SECRET_IN_IMAGE if one of them has a stored value: nothing is written then
    /// @throws IOException what the stream throws
    public void save(List<StoredImage> images, ArchiveForm form, OutputStream to) throws IOException {
        present(images, "images");
        present(form, "form");
        present(to, "to");
        try {
            requireClean(images);
            store.save(images, form, to);
            images.forEach(image -> events.told("save", image));
        } catch (RuntimeException e) {
            throw calls.coded(e);
        }
    }

    /// Removes a name, and with the last name of an image its blobs and the unpacked layers that no other image
    /// has.
    /// @throws EngineException IMAGE_IN_USE if it is the last name of an image that a container has
    public void remove(StoredImage image) {
        boolean _ = remove(image, false);
    }

    /// Like the other, but may take the last name of an image that a container has: the image stays without a
    /// name.
    ///
    /// @return false if the image is still there
    /// @throws EngineException IMAGE_IN_USE if a container has the image, and it has no name that could go
    public boolean remove(StoredImage image, boolean force) {
        present(image, "image");
        return calls.call(() -> {
            boolean isLast = store.images().stream()
                    .noneMatch(other -> !other.equals(image) && other.manifest().equals(image.manifest()));
            Set<String> having = isLast ? users.of(image) : Set.of();
            if (having.isEmpty()) {
                events.removing(List.of(image), () -> store.remove(Set.of(image)));
                return isLast;
            }
            if (!force || image.tag().isEmpty()) {
                throw new EngineException(
                        "IMAGE_IN_USE",
                        "image " + image.name() + " is used by " + String.join(", ", having) + ": remove "
                                + (users.snapshots(image).isEmpty() ? "these containers" : "these") + " first");
            }
            events.removing(List.of(image), () -> store.untag(image));
            return false;
        });
    }

    /// Compares what the store has of an image with its digests, unpacked layers included.
    public ImageCheck check(StoredImage image) {
        present(image, "image");
        return calls.call(() -> store.check(image));
    }

    /// Returns its layers, lowest first.
    public List<ImageLayer> layers(StoredImage image) {
        present(image, "image");
        return calls.call(() -> store.layers(image));
    }

    /// Returns true if the text is a name of the image, and not its id.
    public boolean isCalled(StoredImage image, String text) {
        present(image, "image");
        present(text, "text");
        return calls.call(() -> users.called(image, text));
    }

    /// Removes images that have no name, or all that no container has; with them unpacked layers that no image of
    /// the store has and no container uses.
    /// @return those that were removed
    public List<StoredImage> prune(boolean all) {
        return prune(all, _ -> true);
    }

    /// Like the other, for those of them that are chosen. Unpacked layers of no image go, too.
    public List<StoredImage> prune(boolean all, Predicate<StoredImage> chosen) {
        present(chosen, "chosen");
        return calls.call(() -> {
            var removed = new LinkedHashSet<StoredImage>();
            for (StoredImage image : store.images()) {
                if ((all || image.tag().isEmpty())
                        && chosen.test(image)
                        && users.of(image).isEmpty()) {
                    removed.add(image);
                }
            }
            if (!removed.isEmpty()) {
                events.removing(List.copyOf(removed), () -> store.remove(removed));
            }
            store.removeUnused();
            return List.copyOf(removed);
        });
    }

    /// Returns the bytes that all of them take, as they were fetched and unpacked. Looks at every file.
    public Bytes onDisk() {
        return calls.call(() -> Bytes.of(store.sizes().all()));
    }

    /// Returns what each takes, those with several names once.
    DiskUse.OfImages use() {
        return users.use();
    }

    @Override
    public void close() {
        calls.close();
        store.close();
        taint.close();
    }
}
