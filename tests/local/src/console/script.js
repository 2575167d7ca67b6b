// Puts each part of the page in its place as the server sends it anew. Without this the page stays as it was made.
'use strict';
const state = document.getElementById('state');
const pause = document.getElementById('pause');
let paused = false;
let missed = {};

function put(parts) {
  const focused = document.activeElement && document.activeElement.id;
  for (const [id, html] of Object.entries(parts)) {
    document.getElementById(id).innerHTML = html;
  }
  // What had the focus was replaced with its part.
  const again = focused && document.getElementById(focused);
  if (again && again !== document.activeElement) again.focus({ preventScroll: true });
}

function tell() {
  state.textContent = paused ? 'Paused' : 'Live';
  pause.textContent = paused ? 'Go on' : 'Pause';
  document.documentElement.dataset.state = paused ? 'paused' : 'live';
}

pause.hidden = false;
pause.addEventListener('click', () => {
  paused = !paused;
  tell();
  if (!paused) {
    put(missed);
    missed = {};
  }
});

const events = new EventSource('/.console/events' + location.search);
events.onopen = tell;
events.onmessage = (event) => {
  const parts = JSON.parse(event.data);
  if (paused) Object.assign(missed, parts);
  else put(parts);
};
events.onerror = () => {
  state.textContent = 'Not connected: this is what was seen last';
  document.documentElement.dataset.state = 'lost';
};
