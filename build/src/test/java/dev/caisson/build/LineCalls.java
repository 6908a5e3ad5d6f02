package dev.caisson.build;

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
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Pattern;

/// Runs [BuildActor] in the rooms loaded again, whose lines that change a build's files call it.
final class LineCalls extends URLClassLoader {
    private static final Pattern OBSERVED = Pattern.compile(
            "dev\\.caisson\\.(build\\.(Builder|CacheLock|LayerBuilder|LayerStore|RunMounts|RunStep|StageRun|StageSchedule|StepRunner|Trees|Workplace)"
                    + "|image\\.(BlobDownload|BlobWriter|ContentIndex|ContentStore|ImagePull|LayerTrees|NewImage|StoreDirectory))(\\$.*)?");
    private static final ClassDesc ACTOR = ClassDesc.of("dev.caisson.build.BuildActor");
    private static final MethodTypeDesc REACHED = MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_String);

    private LineCalls() {
        super(urls(), LineCalls.class.getClassLoader());
    }

    public static void main(String[] arguments) throws Exception {
        new LineCalls()
                .loadClass(BuildActor.class.getName())
                .getMethod("main", String[].class)
                .invoke(null, (Object) arguments);
    }

    private static URL[] urls() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(LineCalls::url)
                .toArray(URL[]::new);
    }

    private static URL url(String entry) {
        try {
            return Path.of(entry).toUri().toURL();
        } catch (MalformedURLException e) {
            throw new UncheckedIOException(e);
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
            byte[] own = OBSERVED.matcher(name).matches() ? calling(bytes, name) : bytes;
            return defineClass(name, own, 0, own.length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private byte[] calling(byte[] bytes, String name) {
        String simple = name.substring(name.lastIndexOf('.') + 1).replaceAll("\\$.*", "");
        ClassFile context = ClassFile.of(ClassFile.ClassHierarchyResolverOption.of(
                ClassHierarchyResolver.ofResourceParsing(this).orElse(ClassHierarchyResolver.defaultResolver())));
        CodeTransform lines = (code, element) -> {
            code.with(element);
            if (element instanceof LineNumber line) {
                code.loadConstant(simple + ":" + line.line()).invokestatic(ACTOR, "reached", REACHED);
            }
        };
        return context.transformClass(
                context.parse(bytes),
                ClassTransform.transformingMethodBodies(
                        method -> !method.methodName().equalsString("<clinit>"), lines));
    }
}
