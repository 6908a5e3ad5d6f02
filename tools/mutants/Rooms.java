import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.security.ProtectionDomain;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Loads the rooms that use a changed class again, some classes from other bytes.
final class Rooms extends URLClassLoader {
    private record Found(URL top, byte[] bytes) {}

    /// What was read once, for all loaders: classes do not change while this runs.
    private static final Map<String, Found> READ = new HashMap<>();

    private final Map<String, byte[]> replaced = new HashMap<>();
    private final List<String> packages;

    Rooms(House house, Collection<Subject> subjects) throws MalformedURLException {
        super(urls(house), Rooms.class.getClassLoader());
        packages = house.rooms().stream()
                .filter(room -> subjects.stream().anyMatch(subject -> house.uses(room, subject.room())))
                .map(room -> "dev.caisson." + room + ".")
                .toList();
    }

    private static URL[] urls(House house) throws MalformedURLException {
        var urls = new ArrayList<URL>();
        for (String room : house.rooms()) {
            for (String classes : List.of("/target/test-classes", "/target/classes")) {
                if (Files.isDirectory(house.root().resolve(room + classes))) {
                    urls.add(house.root().resolve(room + classes).toUri().toURL());
                }
            }
        }
        return urls.toArray(URL[]::new);
    }

    /// As `dev/caisson/engine/Engine.class`.
    static String entry(Path file) {
        return file.toString().replaceFirst("^.*/target/(test-)?classes/", "");
    }

    static String name(Path file) {
        return entry(file).replace(".class", "").replace('/', '.');
    }

    void replace(Path file, byte[] bytes) {
        replaced.put(name(file), bytes);
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (packages.stream().noneMatch(name::startsWith)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded == null ? define(name) : loaded;
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        Found found = read(name);
        byte[] bytes = replaced.getOrDefault(name, found.bytes());
        return defineClass(name, bytes, 0, bytes.length, new ProtectionDomain(new CodeSource(found.top(), (Certificate[]) null), null));
    }

    private Found read(String name) throws ClassNotFoundException {
        synchronized (READ) {
            Found found = READ.get(name);
            if (found == null) {
                String entry = name.replace('.', '/') + ".class";
                URL from = findResource(entry);
                if (from == null) {
                    throw new ClassNotFoundException(name);
                }
                try (var in = from.openStream()) {
                    String text = from.toString();
                    found = new Found(URI.create(text.substring(0, text.length() - entry.length())).toURL(), in.readAllBytes());
                } catch (IOException e) {
                    throw new ClassNotFoundException(name, e);
                }
                READ.put(name, found);
            }
            return found;
        }
    }
}
