/** A topic's messages, each once, and the cursors of its channels over them. */
package io.holdfast.storage.journal;
