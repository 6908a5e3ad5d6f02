package dev.caisson.engine;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.instruction.LineNumber;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.Method;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Pattern;

/// Loads the rooms again, with a call of [Failpoint#reached] at each line of some classes.
final class LineLoader extends URLClassLoader {
    /// The code that creates, starts, stops and removes containers that outlive their command.
    private static final Pattern CONTAINERS = Pattern.compile("dev\\.caisson\\.("
            + "engine\\.(Detached.*|Engine|Executions|LimitChange|KeptSpec|MonitorLeftovers|PauseSwitch|Revival|RunningExec)"
            + "|launch\\.monitor\\.Monitor|state\\.(DiskLayers|Groups|KeptDirectory|Names|Places))(\\$.*)?");
    /// And what gives them networks.
    private static final Pattern NETWORKED = Pattern.compile(CONTAINERS.pattern()
            + "|dev\\.caisson\\.(engine\\.(GuestNetworks|NetworkPlaces|ServedNetworks)"
            + "|network\\.(Elements|EndingLinks|KernelNetworks|Links|NetworkRecords|Networks|Places|PortReservations|Settling"
            + "|Unlinking))(\\$.*)?");
    /// And what gives them secrets.
    private static final Pattern SECRET = Pattern.compile(CONTAINERS.pattern()
            + "|dev\\.caisson\\.(engine\\.(Delivered|RunSecrets|SecretFiles|SecretSources|OwnSecrets|ShownSecrets)"
            + "|secret\\.(AccessLog|SecretAccess|SecretStore|StoreFiles|WarmStore))(\\$.*)?");
    private static final MethodTypeDesc REACHED = MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_String);

    private final Pattern observed;

    private LineLoader(Pattern observed) {
        super(urls(), LineLoader.class.getClassLoader());
        this.observed = observed;
    }

    /// Starts [FailpointActor] in such classes.
    public static void main(String[] arguments) throws Exception {
        Pattern observed = switch (FailpointActor.has(arguments)) {
            case NOTHING -> CONTAINERS;
            case NETWORK -> NETWORKED;
            case SECRET -> SECRET;
        };
        start(FailpointActor.class, observed, arguments);
    }

    /// Starts a program.
    /// @param observed the classes that call at each line
    static void start(Class<?> program, Pattern observed, String... arguments) throws ReflectiveOperationException {
        Method own = new LineLoader(observed).loadClass(program.getName()).getMethod("main", String[].class);
        own.setAccessible(true); // its package is another one
        own.invoke(null, (Object) arguments);
    }

    private static URL[] urls() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(LineLoader::url)
                .toArray(URL[]::new);
    }

    private static URL url(String entry) {
        try {
            return Path.of(entry).toUri().toURL();
        } catch (MalformedURLException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!name.startsWith("dev.caisson.")) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded == null ? define(name) : loaded;
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        URL found = findResource(name.replace('.', '/') + ".class");
        if (found == null) {
            throw new ClassNotFoundException(name);
        }
        try (var in = found.openStream()) {
            byte[] bytes = in.readAllBytes();
            byte[] own = observed.matcher(name).matches() ? calling(bytes, simple(name)) : bytes;
            return defineClass(name, own, 0, own.length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String simple(String name) {
        return name.substring(name.lastIndexOf('.') + 1).replaceAll("\\$.*", "");
    }

    private byte[] calling(byte[] bytes, String name) {
        ClassFile context = ClassFile.of(ClassFile.ClassHierarchyResolverOption.of(
                ClassHierarchyResolver.ofResourceParsing(this).orElse(ClassHierarchyResolver.defaultResolver())));
        CodeTransform lines = (code, element) -> {
            code.with(element);
            if (element instanceof LineNumber line) {
                code.loadConstant(name + ":" + line.line());
                code.invokestatic(ClassDesc.of("dev.caisson.engine.Failpoint"), "reached", REACHED);
            }
        };
        // an initializer runs once in a process
        return context.transformClass(
                context.parse(bytes),
                ClassTransform.transformingMethodBodies(
                        method -> !method.methodName().equalsString("<clinit>"), lines));
    }
}
