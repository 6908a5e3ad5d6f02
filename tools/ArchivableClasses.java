import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassElement;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.lang.constant.ClassDesc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/// Rewrites a jar so that the AOT cache can hold its classes: those of a version below 50 have no stack maps, the JVM
/// verifies them by inference at each start and archives none of them (JVMS 4.10.2). They get stack maps and the
/// version of this JDK; nothing else of them changes.
///
/// Usage: `java tools/ArchivableClasses.java JAR`, which is replaced.
final class ArchivableClasses {
    private static final int FIRST_WITH_STACK_MAPS = 50;

    private ArchivableClasses() {}

    public static void main(String[] arguments) throws IOException {
        Path jar = Path.of(arguments[0]);
        Map<String, byte[]> entries = read(jar);
        ClassFile format = ClassFile.of(
                ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
                ClassFile.ClassHierarchyResolverOption.of(hierarchy(entries)));
        entries.replaceAll((name, content) -> name.endsWith(".class") ? raised(format, content) : content);
        Path made = jar.resolveSibling(jar.getFileName() + ".part");
        write(made, entries);
        Files.move(made, jar, StandardCopyOption.REPLACE_EXISTING);
    }

    private static byte[] raised(ClassFile format, byte[] content) {
        ClassModel model = format.parse(content);
        return model.majorVersion() >= FIRST_WITH_STACK_MAPS
                ? content
                : format.transformClass(
                        model,
                        ClassTransform.transformingMethodBodies(CodeTransform.ACCEPT_ALL)
                                .andThen(ArchivableClasses::withLatestVersion));
    }

    private static void withLatestVersion(ClassBuilder builder, ClassElement element) {
        if (element instanceof ClassFileVersion) {
            builder.withVersion(ClassFile.latestMajorVersion(), 0);
        } else {
            builder.with(element);
        }
    }

    /// Superclasses are looked up in the jar itself, then in the JDK.
    private static ClassHierarchyResolver hierarchy(Map<String, byte[]> entries) {
        return ClassHierarchyResolver.ofResourceParsing((ClassDesc type) -> {
                    String descriptor = type.descriptorString();
                    byte[] content = entries.get(descriptor.substring(1, descriptor.length() - 1) + ".class");
                    return content == null ? null : new ByteArrayInputStream(content);
                })
                .orElse(ClassHierarchyResolver.defaultResolver());
    }

    private static Map<String, byte[]> read(Path jar) throws IOException {
        var entries = new LinkedHashMap<String, byte[]>();
        try (InputStream file = Files.newInputStream(jar);
                var zip = new ZipInputStream(file)) {
            ZipEntry entry;
            while ((entry = zip.getNextEntry()) != null) {
                if (!entry.isDirectory()) {
                    entries.put(entry.getName(), zip.readAllBytes());
                }
            }
        }
        return entries;
    }

    private static void write(Path jar, Map<String, byte[]> entries) throws IOException {
        try (OutputStream file = Files.newOutputStream(jar);
                var zip = new ZipOutputStream(file)) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                zip.putNextEntry(new ZipEntry(entry.getKey()));
                zip.write(entry.getValue());
                zip.closeEntry();
            }
        }
    }
}
