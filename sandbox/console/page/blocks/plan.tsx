import type { PlanBlock, TaskCardBlock } from '@slack/types';
import { useState } from 'react';
import { Icon } from '../icons.tsx';
import { Link } from './mrkdwn.tsx';
import { RichText } from './rich-text.tsx';

const words: Record<TaskCardBlock['status'], string> = {
  pending: 'to do',
  in_progress: 'in progress',
  complete: 'done',
  error: 'failed',
};

function StatusIcon({ status }: { status: TaskCardBlock['status'] }) {
  return (
    <span className={`task-icon task-${status}`} role="img" aria-label={words[status]}>
      {status === 'complete' && <Icon name="check" />}
      {status === 'error' && <Icon name="cross" />}
    </span>
  );
}

function Task({ task }: { task: TaskCardBlock }) {
  const { title, status, details, output, sources } = task;
  return (
    <>
      <StatusIcon status={status} />
      <div className="task-body">
        <div className={`task-title task-title-${status}`}>{title}</div>
        {details && <RichText block={details} />}
        {output && <RichText block={output} />}
        {sources?.map(({ url, text }) => (
          <span key={url} className="task-source">
            <Link url={url}>{text}</Link>
          </span>
        ))}
      </div>
    </>
  );
}

export const TaskCard = ({ block }: { block: TaskCardBlock }) => (
  <div className="plan task-alone">
    <Task task={block} />
  </div>
);

const isTask = (task: TaskCardBlock | Record<string, unknown>): task is TaskCardBlock => task.type === 'task_card';

/** A running operation: its steps under one another, each with how it stands. */
export function Plan({ block }: { block: PlanBlock }) {
  const [open, setOpen] = useState(true);
  const tasks = (block.tasks ?? []).filter(isTask);
  const done = tasks.filter(({ status }) => status === 'complete').length;
  return (
    <div className="plan">
      <button type="button" className="plan-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={open ? 'down' : 'right'} />
        <span className="plan-title">{block.title}</span>
        <span className="plan-count">
          {done} of {tasks.length}
        </span>
      </button>
      {open && (
        <ol className="tasks">
          {tasks.map((task) => (
            <li key={task.task_id}>
              <Task task={task} />
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
