import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginBundle;
import org.elasticsearch.plugins.PluginsLoader;

/** One Elasticsearch node: Launcher home config name setting=value ... It ends when its standard input does. */
public class Launcher {
    public static void main(String[] args) throws Exception {
        Path home = Path.of(args[0]);
        Path config = Path.of(args[1]);
        String name = args[2];
        Settings.Builder settings = Settings.builder().put("path.home", home.toString());
        for (int i = 3; i < args.length; i++) {
            String[] pair = args[i].split("=", 2);
            settings.put(pair[0], pair[1]);
        }

        // Elasticsearch makes System.out a logger, which may be silent.
        PrintStream out = System.out;
        LogConfigurator.setNodeName(name);
        LogConfigurator.registerErrorListener();
        LogConfigurator.configureESLogging();
        Environment environment = InternalSettingsPreparer.prepareEnvironment(settings.build(), Map.of(), config, () -> name);
        LogConfigurator.configure(environment, true);
        PluginsLoader plugins = PluginsLoader.createPluginsLoader(
            modulesIn(home.resolve("modules")), Set.of(), Map.of());
        Node node = new Node(environment, plugins);
        MissingLifecycle.addTo(node);
        node.start();
        out.println("launcher: ready");

        while (System.in.read() != -1) { }
        Runtime.getRuntime().halt(0);
    }

    /** Since 9 it also wants to know whether to check for the modules of a whole distribution. */
    @SuppressWarnings("unchecked")
    private static Set<PluginBundle> modulesIn(Path directory) throws ReflectiveOperationException {
        for (Method method : PluginsLoader.class.getMethods()) {
            if (!method.getName().equals("loadModulesBundles")) continue;
            Object[] arguments = method.getParameterCount() == 1 ? new Object[] { directory } : new Object[] { directory, false };
            return (Set<PluginBundle>) method.invoke(null, arguments);
        }
        throw new NoSuchMethodException("loadModulesBundles");
    }
}
