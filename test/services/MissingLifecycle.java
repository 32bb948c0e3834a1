import java.io.IOException;
import java.lang.reflect.Method;
import java.util.List;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.metadata.DataStreamLifecycle;
import org.elasticsearch.cluster.metadata.MetadataDataStreamsService;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.node.Node;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestController;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.action.RestToXContentListener;
import org.elasticsearch.xcontent.XContentParser;

/**
 * PUT _data_stream/NAME/_lifecycle: the server reads, checks and keeps a data stream's lifecycle by itself, and only the
 * endpoint is in a module of Elasticsearch's that is not published.
 */
class MissingLifecycle extends BaseRestHandler {
    private static final TimeValue TIMEOUT = TimeValue.timeValueSeconds(30);

    private final MetadataDataStreamsService streams;

    private MissingLifecycle(MetadataDataStreamsService streams) {
        this.streams = streams;
    }

    static void addTo(Node node) {
        MetadataDataStreamsService streams = node.injector().getInstance(MetadataDataStreamsService.class);
        node.injector().getInstance(RestController.class).registerHandler(new MissingLifecycle(streams));
    }

    @Override
    public String getName() {
        return "put_data_lifecycles_action";
    }

    @Override
    public List<Route> routes() {
        return List.of(new Route(RestRequest.Method.PUT, "/_data_stream/{name}/_lifecycle"));
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) throws IOException {
        List<String> names = List.of(request.param("name"));
        try (XContentParser parser = request.contentParser()) {
            DataStreamLifecycle lifecycle = DataStreamLifecycle.dataLifecycleFromXContent(parser);
            return channel -> set(names, lifecycle, new RestToXContentListener<>(channel));
        }
    }

    /** Since 9 it also wants to know of which project. */
    private void set(List<String> names, DataStreamLifecycle lifecycle, ActionListener<?> listener) throws ReflectiveOperationException {
        for (Method method : MetadataDataStreamsService.class.getMethods()) {
            if (!method.getName().equals("setLifecycle")) continue;
            if (method.getParameterCount() == 5) method.invoke(streams, names, lifecycle, TIMEOUT, TIMEOUT, listener);
            else {
                Object project = method.getParameterTypes()[0].getField("DEFAULT").get(null);
                method.invoke(streams, project, names, lifecycle, TIMEOUT, TIMEOUT, listener);
            }
            return;
        }
        throw new NoSuchMethodException("setLifecycle");
    }
}
