import '@fontsource/lato/latin-400.css';
import '@fontsource/lato/latin-400-italic.css';
import '@fontsource/lato/latin-700.css';
import '@fontsource/lato/latin-900.css';
import 'twemoji-colr-font/twemoji.css';
import './styles/theme.css';
import './styles/shell.css';
import './styles/shipmate-line.css';
import './styles/messages.css';
import './styles/blocks.css';
import './styles/composer.css';
import './styles/dialogs.css';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { keepToken, token } from './token.ts';

const root = document.getElementById('root');
keepToken();
const noToken = (
  <p className="waiting">Open this page by the whole address that the sandbox printed: its end lets you in.</p>
);
if (root) createRoot(root).render(token() ? <App /> : noToken);
