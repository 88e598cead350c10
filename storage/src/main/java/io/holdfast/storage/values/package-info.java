/** What the other packages tell each other of messages: references, views, ranges of ordinals. */
package io.holdfast.storage.values;
