package io.holdfast.broker.http;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.holdfast.broker.history.Event;
import io.holdfast.broker.history.Events;
import java.util.List;

/** GET /events. Stateless. */
final class EventsHandler {
  private static final int DEFAULT_EVENTS = 100;

  private final Events events;

  EventsHandler(Events events) {
    this.events = events;
  }

  /** The latest events, newest first. */
  HttpReply events(ApiRequest request) throws HttpError {
    int max = request.params().number("n", DEFAULT_EVENTS, 1, Events.KEPT, "INVALID_ARG_N");
    return HttpReply.json(new Answer(events.latest(max)));
  }

  private record Answer(@JsonProperty("events") List<Event> events) {}
}
