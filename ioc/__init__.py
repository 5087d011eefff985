"""The operators rooms: pages, viewer component, HTTP and WebSocket routes, sign-in."""
